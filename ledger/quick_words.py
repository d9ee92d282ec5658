"""The words of the quick line: what a shopkeeper writes beside a name and an amount.

Only lists, and one look-up for each. Latin spellings are folded (``chaawal`` is ``chawal``), Hindi ones too
(``आलु`` is ``आलू``), so that a list holds a word once. A word that is in no list is not understood,
and ``ledger.quick`` asks. So a word may be missing here without harm; a word too many costs money.
"""

import re
import string

# Words that take part in saying who gave. What they say together stands in GOT_SETS and GAVE_SETS.
_CLASSES: dict[str, str] = {
    "ne": "ne by ने",
    "se": "se from kadun से कडून",
    "ko": "ko to को",
    "given": """
        diya diye die di de dia diyaa deya deye bheja bheje bheji chukaya chukaye chukae chukaai chukai
        given sent दिया दिए दिये दी दे भेजा भेजे भेजी चुकाया चुकाए चुकाये चुकाई dila dile dili दिला दिले
        दिली apya apyo apyu આપ્યા આપ્યો આપ્યું આપ્યાં dilo diyeche দিল দিলো দিলেন দিয়েছে দিয়েছেন koduthar
        koduthaar கொடுத்தார் கொடுத்தான் தந்தார் icchadu ichadu ichindi ఇచ్చాడు ఇచ్చారు ఇచ్చింది kottaru
        ಕೊಟ್ಟರು ಕೊಟ್ಟ ಕೊಟ್ಟಿದ್ದಾರೆ തന്നു കൊടുത്തു ਦਿੱਤੇ ਦਿੱਤਾ ਦਿੱਤੀ
        """,
    "taken": """
        liya liye lia lie li le took taken लिया लिए लिये ली ले ghetla ghetle घेतला घेतले घेतली લીધા લીધો
        લીધું নিল নিলো নিলেন নিয়েছে வாங்கினார் తీసుకున్నాడు తీసుకున్నారు ತೆಗೆದುಕೊಂಡರು വാങ്ങി ਲਏ ਲਿਆ
        """,
    "came": """
        mila mile mili milaa miley aaya aaye aya aye aae aayi मिला मिले मिली आया आए आये milala milale milali
        मिळाला मिळाले मिळाली
        """,
    "coming": "mil aa मिल आ",  # mil *gaya*, aa *gaye*
    "returned": """
        wapas vapas wapis vapis waapas vaapas waapis vaapis wapasi wapsi vapsi vaapsi waapsi back return
        returned refund refunded वापस वापिस वापसी parat परत પરત ফেরত తిరిగి திரும்ப
        """,
    "handed back": """
        lauta lautaya lautaye lautae lautai lautayi lotaya lotaye lotae lautaaye lautaaya laute लौटा लौटाया
        लौटाए लौटाये लौटाई लौटायी लौटाऐ
        """,
    "got": """
        jama jma jamaa jamah received recieved receved receive rcvd recd recvd rcd got paid payed जमा જમા
        জমা
        """,
    "gave": "gave udhaar udhar udhari udhaari credit उधार उधारी बाकी baki baaki",
    # How it came says nothing of whose it was: alone it is a question, beside a verb it is a note.
    "means": """
        cash nakad nagad naqad नकद नगद upi gpay phonepe paytm bhim online cheque check chq chek neft imps
        rtgs bank qr transfer चेक यूपीआई बैंक ऑनलाइन कैश रोख
        """,
    # Not yet, not at all, less, or money on its way: always a question.
    "maybe": """
        lena dena lene dene lega lege lenge legi dega denge degi dunga lunga लेना देना लेने देने लेगा लेंगे
        लेगी देगा देंगे देगी दूंगा लूंगा nahi nahin nhi nai na no mat not never nathi नहीं नही ना न मत नाही
        નથી না ন இல்லை లేదు pay payment paying bhugtan भुगतान repaid repay repayment pd pmt chukta चुकता
        चुक्ता advance एडवांस karz karza loan कर्ज कर्जा लोन credited debit debited settled settle
        settlement clear cleared clearing bhejna lautana lautayega लौटाना लौटाएगा लौटायेगा collect collected
        collection vasool vasul wasool wasul vasooli vasuli wasooli वसूल वसूली deposit deposited डिपॉजिट
        card कार्ड minus less kam kum कम ghata ghatao घटा घटाओ kaat kata kato katauti काट काटा कटौती maaf
        maf mafi माफ माफी chhoot chhut choot chut छूट discount disc डिस्काउंट waive waived off cancel
        cancelled canceled कैंसल radd रद्द galat गलत wrong mistake adjust adjusted adjustment adj hisab
        हिसाब bakaya बकाया due dues pending baad बाद milega milenge milegi milna मिलेगा मिलेंगे मिलना aayega
        ayega aayenge ayenge आएगा आएंगे आयेगा aale aala आले आला આવ્યા આવ્યો મળ્યા પেলাম পেয়েছি পেলো
        వచ్చింది వచ్చాయి வந்தது ಬಂತು കിട്ടി ਮਿਲੇ ਮਿਲਿਆ
        """,
    "done": "kiya kiye kie ki kar kari किया किए किये की कर",  # wapas *kiye*
    "gone": "gaya gaye gae gayi gai gya gye gyi ho hua hue hui huye गया गए गये गई गयी हो हुआ हुए हुई",
}
CLASS_OF = {word: kind for kind, words in _CLASSES.items() for word in words.split()}
KEPT_IN_NOTE = {"means", "maybe"}
PARTICLES = {"ne", "se", "ko"}  # with one of them the verb has its subject
# “ramesh gave 500” is not “gave ramesh 500”.
SUBJECT_FIRST = {"gave", "got", "received", "recieved", "receved", "receive", "rcvd", "recd", "recvd", "rcd"}


def _sets(*texts: str) -> set[frozenset[str]]:
    return {frozenset(text.split(" + ")) for text in texts}


# Only what is unmistakable. Everything else that has one of these words in it is a question.
GOT_SETS = _sets(
    "ne + given", "ne + handed back", "ne + handed back + given", "ne + returned + handed back",
    "ne + returned + given", "ne + returned + done", "ne + got", "ne + got + done",
    "se + came", "se + coming + gone", "se + taken", "se + returned + came", "se + returned + taken", "se + got",
    "came", "coming + gone", "got", "came + got", "got + done", "got + gone",
)  # fmt: skip
GAVE_SETS = _sets(
    "ko + given", "ko + handed back", "ko + handed back + given", "ko + returned + handed back",
    "ko + returned + given", "ko + returned + done", "ko + gave", "ko + gave + given",
    "ne + taken", "ne + gave + taken", "gave", "gave + done", "gave + gone",
)  # fmt: skip

_RUPEES = "₹ rs rupees rupaye rupaya rupye rupee inr /- रुपये रुपए रुपया रु રૂપિયા টাকা taka ரூபாய் రూపాయలు"

# A number before one of these is so much of something, a rate, or an hour; it is no amount of money.
_UNITS = """
    kg kgs kilo kilos kilogram kilograms kilograam kelo g gm gms gr gram grams graam mg quintal quintals qtl
    kuntal ton tons tonne tonnes maund pav pao paav paw pauva adhpav tola chhatank lb l lt ltr ltrs litre
    litres liter liters litar leetar ml pc pcs pce pieces piece pees nag nos dana dane unit units item items
    packet packets pkt pkts packat paket pack packs pouch pouches sachet sachets pudiya pudia dozen dozens
    doz dz darjan darzan gross jodi joda jode pair pairs set sets box boxes boks bx bag bags bori boriyan
    bora katta katte thaila thaili thailiyan carton cartons ctn peti petiyan case cases crate crates tray
    trays bundle bundles gaddi bandal roll rolls reel reels sheet sheets bottle bottles botal botalen btl
    can cans jar jars tin tins dabba dabbe dibba dibbe dabbi tub tubes tube strip strips patta patte tablet
    tablets tab tabs capsule capsules cap caps goli goliyan vial vials meter meters metre metres mtr mtrs m
    cm mm feet foot ft fut inch inches gaj gaz yard yards sqft plate plates cup cups glass glasses cylinder
    cylinders trip trips load loads tanker am pm baje bje percent % pratishat किलो किग्रा ग्राम ग्रा क्विंटल
    कुंतल टन पाव तोला लीटर लिटर नग पीस दाना दाने पैकेट पैकेटस पुडिया पाउच दर्जन डजन जोडी जोडा सेट डिब्बा
    डिब्बे डिब्बी बोरी बोरा कट्टा थैला थैली पेटी कार्टन क्रेट बंडल गड्डी रोल शीट बोतल केन जार टिन ट्यूब
    पत्ता पत्ते गोली गोलियां टैबलेट कैप्सूल स्ट्रिप मीटर फुट फीट इंच गज प्लेट कप गिलास सिलेंडर बजे प्रतिशत
    फीसदी डझन पोते पुडे पिशवी किलोग्राम बाटली वाजता કિલો ગ્રામ લીટર લિટર પેકેટ ડઝન નંગ બોરી થેલી બોટલ મીટર
    ડબ્બો ક્વિન્ટલ কেজি কিলো গ্রাম লিটার প্যাকেট ডজন পিস বস্তা বোতল মিটার টা টি கிலோ கிராம் லிட்டர் பாக்கெட்
    டஜன் மூட்டை பாட்டில் மீட்டர் துண்டு కిలో కిలోలు గ్రాములు లీటర్ లీటర్లు ప్యాకెట్ డజను బస్తా సీసా మీటర్
    ಕಿಲೋ ಕೆಜಿ ಗ್ರಾಂ ಲೀಟರ್ ಪ್ಯಾಕೆಟ್ ಡಜನ್ ಚೀಲ കിലോ ഗ്രാം ലിറ്റർ പാക്കറ്റ് ഡസൻ ਕਿਲੋ ਗ੍ਰਾਮ ਲੀਟਰ ਪੈਕੇਟ ਦਰਜਨ ਬੋਰੀ
    """

# A number before one of these is not the amount in rupees. By what to multiply it, written as a sum.
PAISE = "/100"
_SCALES: dict[str, str] = {
    PAISE: """
        paise paisa paisay paisey p ps पैसे पैसा પૈસા પૈસે পয়সা பைசா పైసలు ਪੈਸੇ
        """,
    "*100": "sau sou hundred hundreds सौ शंभर शे સો শ শো நூறு వంద వందలు ನೂರು ਸੌ",
    "*1000": """
        k hazaar hazar hajaar hajar hazzar hazr hzr thousand thousands thousnd thou हजार હજાર হাজার ஆயிரம்
        వేలు వెయ్యి ಸಾವಿರ ആയിരം ਹਜ਼ਾਰ
        """,
    "*100000": """
        lakh lakhs lac lacs laakh lack lkh lakhon लाख लाखों લાખ লাখ லட்சம் లక్ష లక్షలు ಲಕ್ಷ ലക്ഷം ਲੱਖ
        """,
    "*10000000": """
        crore crores cr karod karor caror करोड કરોડ কোটি கோடி కోటి ಕೋಟಿ കോടി ਕਰੋੜ
        """,
}

# A number beside one of these is a day, a month or a time that passes.
_DATES = """
    jan january feb february march mar april apr may june jun july jul august aug september sept sep october
    oct november nov december dec janvari janwari farvari farwari aprail mai joon julai agast sitambar
    aktubar navambar disambar tarikh tareekh taarikh date dt th st nd rd din day days hafta hafte week weeks
    mahina mahine month months saal year years जनवरी फरवरी मार्च अप्रैल मई जून जुलाई अगस्त सितंबर सितम्बर
    अक्टूबर नवंबर नवम्बर दिसंबर दिसम्बर तारीख ता दिन हफ्ता हफ्ते महीना महीने साल जानेवारी फेब्रुवारी एप्रिल
    मे जुलै ऑगस्ट सप्टेंबर ऑक्टोबर नोव्हेंबर डिसेंबर दिवस महिने તારીખ દિવસ মাস দিন তারিখ தேதி నెల తేదీ
    """

# Behind a name it is how one speaks to him; further on it is somebody else (“ramesh ke bhai”).
_TITLES = """
    ji bhai bhaiya bhaiyya bhayya didi uncle aunty auntie chacha chachi sahab saab sahib sir madam जी भाई
    भैया दीदी चाचा चाची साहब
    """

# Words that say nothing of money: they neither ask nor answer.
_NEUTRAL = """
    ka ke ki aaj kal today yesterday aur and or va of the mein me par pe rs only का के की आज कल और व
    में पर
    """

# What kirana, chemists, hardware and cloth shops sell. No word that is a name as well (rai, kesar, puri, toor,
# gulab, bora): before the amount it would be taken for goods, and another party's surname be lost.
_GOODS = """
    chawal chaval rice basmati poha chiwda murmura atta aata ata flour maida mayda besan suji sooji rava
    rawa daliya dalia gehun gehu wheat bajra jowar makka maize ragi dal daal dhal lentil arhar tuvar masoor
    masur moong mung urad udad chana channa chhole chole rajma matar lobia soyabean soya badi papad tel oil
    sarson sarso refined groundnut ghee ghi vanaspati dalda butter makhan makkhan cheese chini cheeni sugar
    shakkar shakar gud gur jaggery namak salt masala masale haldi turmeric mirch mirchi dhaniya dhania jeera
    jira zeera cumin hing laung elaichi ilaichi dalchini saunf ajwain methi amchur imli tejpatta kalimirch
    garam pepper doodh dudh milk dahi curd chhachh chaas lassi paneer panir khoya mawa malai cream anda ande
    egg eggs bread pav bun toast rusk cake biscuit biscuits biskut biskit bisket cookies namkeen namkin
    bhujia sev mixture chips kurkure maggi noodles pasta sewai seviyan chocolate toffee candy mithai sweets
    ladoo barfi sauce ketchup achar achaar pickle shahad badam kaju kishmish pista akhrot khajur makhana
    nariyal coconut chai chay tea patti chaipatti chayapatti coffee kofi water bisleri juice sharbat cold
    drink drinks colddrink coke pepsi sprite limca frooti soda icecream ice kulfi sabzi sabji sabjiyan
    vegetable vegetables bhaji aloo alu potato potatoes pyaz pyaaz pyaj onion onions tamatar tomato tomatoes
    lahsun lehsun garlic adrak ginger gobhi gobi bhindi baingan lauki karela kaddu gajar mooli kheera nimbu
    nimboo lemon dhania phal fruit fruits kela kele banana seb apple aam mango angoor papita tarbooz chicken
    mutton machhli fish meat sabun saboon soap surf nirma vim wheel detergent powder shampoo shampu
    sampoo toothpaste paste colgate brush manjan pepsodent dettol harpic phenyl phenol lizol jhadu jhaadu
    pocha bleach agarbatti agarbati dhoop machis maachis matchbox mombatti candle coil mortein
    goodnight allout pampers diaper diapers whisper stayfree cotton tissue facewash lotion vaseline
    boroplus bidi beedi cigarette cigarettes sigret gutkha supari paan tambaku khaini zarda kirana ration
    rashan raashan saman samaan saamaan samagri grocery saudaa sauda maal dawai dawaai dava davai dawa
    dawaiyan medicine medicines medicin meds tablet syrup sirap injection insulin inhaler paracetamol crocin
    dolo combiflam disprin digene eno ors glucose glucon-d glucond bandage patti betadine vicks iodex volini
    moov balm ointment drops mask sanitizer sanitiser thermometer vitamin calcium antibiotic amoxicillin
    azithromycin metformin cement simant sariya saria sand reti baalu balu bajri gitti eint
    brick bricks tiles tile marble putty primer paint pent distemper varnish turpentine plywood ply laminate
    fevicol pipe paip elbow socket valve tanki wire taar cable switch bulb led tubelight holder plug fan
    pankha mcb nut bolt screw screws pech keel keele kil nails nail hinge kabza tala taala lock chain
    rassi rope jaali jali sheet loha iron steel angle hathoda hammer plier drill blade belt bearing tool
    tools motor pump spare kapda kapde kapada cloth saree sari shirt pants jeans kurta suit dupatta blouse
    towel tauliya chadar bedsheet dhaga button zip astar joota jute chappal shoes socks copy kaapi pen
    pencil kitab book books register kagaz paper rubber eraser scale glue tape recharge richarge gas
    petrol diesel mobil battery cell charger cover earphone khad khaad beej urea yuria dap potash pesticide
    keetnashak chara bhusa chokar khana nashta tiffin samosa kachori roti thali dosa idli 7up
    चावल बासमती पोहा चिवडा मुरमुरा आटा मैदा बेसन सूजी रवा दलिया गेहूं बाजरा ज्वार मक्का दाल अरहर तुअर मसूर
    मूंग उडद चना छोले राजमा मटर सोयाबीन बडी पापड तेल सरसों रिफाइंड घी डालडा मक्खन चीनी शक्कर गुड नमक
    मसाला मसाले हल्दी मिर्च मिर्ची धनिया जीरा हींग लौंग इलायची दालचीनी सौंफ अजवाइन मेथी इमली दूध दही छाछ
    लस्सी पनीर खोया मावा मलाई अंडा अंडे ब्रेड बन टोस्ट केक बिस्कुट बिस्किट नमकीन भुजिया सेव चिप्स मैगी
    नूडल्स सेवई चॉकलेट टॉफी मिठाई लड्डू बर्फी जैम सॉस अचार शहद बादाम काजू किशमिश पिस्ता अखरोट खजूर मखाना
    नारियल चाय पत्ती चायपत्ती कॉफी पानी जूस शरबत कोल्ड ड्रिंक सोडा आइसक्रीम कुल्फी सब्जी सब्जियां आलू प्याज
    टमाटर लहसुन अदरक गोभी पालक भिंडी बैंगन लौकी करेला कद्दू गाजर मूली खीरा नींबू फल केला केले सेब आम संतरा
    अंगूर पपीता तरबूज चिकन मटन मछली साबुन सर्फ डिटर्जेंट पाउडर शैम्पू शैंपू टूथपेस्ट पेस्ट मंजन ब्रश डेटॉल
    हार्पिक फिनाइल झाडू पोछा अगरबत्ती धूप माचिस मोमबत्ती कॉइल डायपर रुई बीडी सिगरेट गुटखा सुपारी
    पान तंबाकू तम्बाकू खैनी किराना राशन सामान सौदा माल दवा दवाई दवाइयां दवाएं टैबलेट सिरप इंजेक्शन इंसुलिन
    क्रोसिन डोलो पट्टी विक्स बाम मरहम मास्क सीमेंट सरिया रेत बालू बजरी गिट्टी ईंट टाइल टाइल्स पुट्टी प्राइमर
    पेंट प्लाईवुड फेविकोल पाइप टंकी तार केबल स्विच बल्ब पंखा नट बोल्ट पेच कील कब्जा ताला चेन रस्सी
    जाली लोहा हथौडा मोटर पंप कपडा कपडे साडी शर्ट पैंट कुर्ता सूट दुपट्टा तौलिया चादर धागा बटन जूता जूते
    चप्पल कॉपी पेन पेंसिल किताब रजिस्टर कागज रबर टेप रिचार्ज गैस पेट्रोल डीजल बैटरी चार्जर खाद बीज
    यूरिया डीएपी चारा भूसा खली चोकर खाना नाश्ता समोसा रोटी तांदूळ साखर मीठ कांदा बटाटा डाळ गहू दूध भाजी औषध
    साबण ચોખા લોટ દાળ તેલ ખાંડ ગોળ મીઠું દૂધ દહીં ઘી ચા સાબુ બટાકા ડુંગળી શાક દવા બિસ્કીટ চাল আটা ডাল তেল
    চিনি লবণ নুন দুধ ডিম চা সাবান আলু পেঁয়াজ ওষুধ বিস্কুট মুড়ি அரிசி பருப்பு எண்ணெய் சர்க்கரை உப்பு பால்
    தயிர் முட்டை டீ சோப்பு காய்கறி மருந்து பிஸ்கட் బియ్యం పప్పు నూనె చక్కెర ఉప్పు పాలు పెరుగు గుడ్లు టీ
    సబ్బు కూరగాయలు మందులు బిస్కెట్లు
    """

_VOWELS = re.compile(r"aa+|ee+|ii+|oo+|uu+")
_SHORT = {"a": "a", "e": "i", "i": "i", "o": "u", "u": "u"}
_SAME = str.maketrans({"w": "v", "z": "j", "ी": "ि", "ू": "ु", "ँ": "ं", "\u200c": None, "\u200d": None})
_AROUND = ".,;:!?।()[]\"'“”‘’…"


def plain(word: str) -> str:
    """As the lists hold it: small, without the marks around it and the nukta half the writers leave out."""
    return word.lower().strip(_AROUND).replace("\u093c", "")


def fold(word: str) -> str:
    """Spellings of one word alike: vowels are long or short as people please. Consonants stay (khana, Khanna)."""
    return _VOWELS.sub(lambda run: _SHORT[run[0][0]], plain(word)).translate(_SAME)


def _folded(words: str) -> frozenset[str]:
    return frozenset(fold(word) for word in words.split())


RUPEES, UNITS, DATES, TITLES = (_folded(words) for words in (_RUPEES, _UNITS, _DATES, _TITLES))
SCALES = {fold(word): sum_ for sum_, words in _SCALES.items() for word in words.split()}
NEUTRAL = _folded(_NEUTRAL) | UNITS | RUPEES | TITLES
GOODS = _folded(_GOODS)
_UNITS_AS_WRITTEN = frozenset(_UNITS.split())


def is_unit(word: str) -> bool:
    """The number before it is a quantity. “am” is an hour, and “aam” a mango."""
    return plain(word) in _UNITS_AS_WRITTEN or (fold(word) in UNITS and fold(word) not in GOODS)


def is_scale(word: str) -> bool:
    """Lakh, hazaar, sau: wherever it stands, it makes more of the amount. Paise may just be money."""
    return SCALES.get(fold(word), PAISE) != PAISE


def is_neutral(word: str) -> bool:
    """It says nothing of a direction: ka, kg, cash, a comma."""
    return fold(word) in NEUTRAL or CLASS_OF.get(plain(word)) in KEPT_IN_NOTE or is_noise(word)


def is_goods(word: str) -> bool:
    """Something that a shop sells."""
    folded = fold(word)
    return folded in GOODS or (folded.endswith("s") and folded[:-1] in GOODS)


def is_noise(word: str) -> bool:
    """Marks alone, like the dash in “500 - chawal”. A tick or a thumb may say “paid”: that is none."""
    return not word.strip(string.punctuation + "–—।₹")
